"""Trained networks, asked by a server that never imports PyTorch."""
