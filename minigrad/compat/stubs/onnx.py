"""torch.onnx: exporting comes later."""

from minigrad.compat.refusals import refuse

export = refuse("torch.onnx.export", "exporting to ONNX comes later; the state_dict() can be saved as safetensors")
