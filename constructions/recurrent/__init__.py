"""Nonlinear cells of torch as targets: RNN with ReLU or tanh, GRU, LSTM.  Every regular language in one layer."""
