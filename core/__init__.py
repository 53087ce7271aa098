"""Seven networks that compare two handwritten digits: data, training, runs, results. Knows no screen."""
