"""What PyTorch has for other devices and for compilers: here it says no, does nothing, or says that it comes later."""
