"""From strokes, photos and MNIST's samples to a frame that a network takes."""
