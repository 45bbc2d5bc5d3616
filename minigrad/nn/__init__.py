"""Layers and losses as modules; the same as functions in `functional`, their initial values in `init`."""

from minigrad.nn import functional, init, utils
from minigrad.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minigrad.nn.attention import MultiheadAttention
from minigrad.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from minigrad.nn.conv import Conv2d
from minigrad.nn.dropout import Dropout, Dropout2d
from minigrad.nn.flatten import Flatten, Unflatten
from minigrad.nn.linear import Identity, Linear
from minigrad.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from minigrad.nn.module import Module
from minigrad.nn.names import AvgPool, Conv2D, Dense, MaxPool
from minigrad.nn.normalization import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.nn.pooling import AvgPool2d, MaxPool2d
from minigrad.nn.sparse import Embedding
from minigrad.nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)
