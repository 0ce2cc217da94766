"""The FashionMNIST classifier in whose features samples are compared: network, training and shipped weights."""
