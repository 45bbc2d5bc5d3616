"""torch.hub: models that run foreign code from the network; here they are refused."""

from minigrad.compat.refusals import refuse

_WHY = "minigrad downloads no code: load the weights from a safetensors file with minigrad.load"
load = refuse("torch.hub.load", _WHY)
load_state_dict_from_url = refuse("torch.hub.load_state_dict_from_url", _WHY)
download_url_to_file = refuse("torch.hub.download_url_to_file", _WHY)
list = refuse("torch.hub.list", _WHY)
