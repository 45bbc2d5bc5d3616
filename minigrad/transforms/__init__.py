"""Preparing images before a model sees them, under torchvision's names: for PIL images and tensors (..., C, H, W)."""

from minigrad.transforms import functional
from minigrad.transforms.drawn import (
    ColorJitter,
    RandomApply,
    RandomCrop,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
)
from minigrad.transforms.fixed import (
    CenterCrop,
    Compose,
    ConvertImageDtype,
    Grayscale,
    Lambda,
    Normalize,
    Pad,
    PILToTensor,
    Resize,
    ToPILImage,
    ToTensor,
)
from minigrad.transforms.pictures import InterpolationMode
