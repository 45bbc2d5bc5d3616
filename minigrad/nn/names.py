"""The short names of layers, which our own documentation uses: the same objects under another spelling."""

from minigrad.nn.conv import Conv2d
from minigrad.nn.linear import Linear
from minigrad.nn.pooling import AvgPool2d, MaxPool2d

Conv2D = Conv2d
MaxPool = MaxPool2d
AvgPool = AvgPool2d
Dense = Linear
