"""Runs the networks of docs/interop.md in PyTorch, for torch.test.ts: reads what it wants on stdin, answers on stdout."""
import json, pathlib, re, struct, sys
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from importlib import import_module

safetensors = import_module("torch-fixture").safetensors
document = pathlib.Path(__file__).parents[2] / "docs" / "interop.md"
exec(re.search(r"```python\n(.*?)```", document.read_text(), re.S).group(1))  # build(), normalise()


def read_safetensors(path):
    """Tensors of f32 and metadata, without the package safetensors, which Debian has not."""
    content = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__")
    data = content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors, json.loads(metadata["activemixup"])


def logits(model, spec, images):
    image = spec["image"]
    pixels = torch.tensor(images, dtype=torch.uint8).reshape(-1, image["channels"], image["height"], image["width"])
    with torch.no_grad():
        return model.eval()(normalise(pixels, spec)).flatten().tolist()


def load(file, images):
    """Logits of a file of this engine."""
    tensors, spec = read_safetensors(file)
    model = build(spec)
    model.load_state_dict(tensors, strict=True)
    return logits(model, spec, images)


def save(file, images, spec, dtype, prefix):
    """Writes PyTorch's own weights, with statistics of some batches, and gives the logits."""
    torch.manual_seed(3)
    model = build(spec).to(getattr(torch, dtype)).float()
    size = spec["image"]
    model.train()
    with torch.no_grad():
        model(torch.randn(8, size["channels"], size["height"], size["width"]))
    model.to(getattr(torch, dtype))
    state = {prefix + name: value for name, value in model.state_dict().items()}
    pathlib.Path(file).write_bytes(safetensors(state))
    return logits(model.float(), spec, images)


torch.set_num_threads(1)
asked = json.load(sys.stdin)
json.dump([load(**one) if len(one) == 2 else save(**one) for one in asked], sys.stdout)
