"""What PyTorch says of a convolution, a batch norm and a linear layer, and a safetensors file of their weights, as JSON."""
import base64, json, struct, sys
import torch
from torch import nn

DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64"}


def safetensors(tensors):
    """The file's bytes, as safetensors.torch.save_file writes them."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        # Through numpy only what it knows: bfloat16 as its bits.
        plain = tensor.contiguous().view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor.contiguous()
        raw = plain.numpy().tobytes()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    torch.manual_seed(1)
    layers = nn.Sequential()
    layers.add_module("conv", nn.Conv2d(2, 3, 3, stride=2, padding=1))
    layers.add_module("bn", nn.BatchNorm2d(3))
    layers.add_module("flatten", nn.Flatten())
    layers.add_module("fc", nn.Linear(12, 2))
    with torch.no_grad():
        for value in [layers.bn.weight, layers.bn.bias, layers.bn.running_mean]:
            value.copy_(torch.randn(3))
        layers.bn.running_var.copy_(torch.rand(3) + 0.5)
    layers.eval()
    x = torch.randn(2, 2, 4, 4)
    outputs, value = {}, x
    with torch.no_grad():
        for name, layer in layers.named_children():
            value = layer(value)
            outputs[name] = value.flatten().tolist()
    weights = base64.b64encode(safetensors(layers.state_dict())).decode()
    json.dump({"torch": torch.__version__, "weights": weights, "input": x.flatten().tolist(), "outputs": outputs}, sys.stdout)


if __name__ == "__main__":
    main()
