"""What torch.utils has beside data: writing logs, and saving memory by computing twice."""
