"""What torch.nn has for several devices."""
