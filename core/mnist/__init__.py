"""The printed digits: the files of MNIST, and pairs of them."""
