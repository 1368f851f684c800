"""PyTorch on the workloads of bench/peers/workloads.mjs, on CUDA where there is one, else on the CPU.

Alone:  python3 torch_bench.py [--json] [WORKLOAD ...]     all workloads where none is named
In the comparison it is started by compare.mjs, which reads the JSON lines: one about the engine, then one for each
workload with the median, smallest and largest seconds of one run, or with the reason why it cannot.

f32 is f32 (TF32 off), cuDNN picks its algorithms by trial, everything is warmed up, and the clock stops after
torch.cuda.synchronize().
"""

import argparse
import json
import statistics
import sys
import time

# The copy of workloads.mjs, which a test compares with it; it lets the script run without Node.
WORKLOADS = json.loads(
    """
[
  {"name":"matmul 512","kind":"matmul","size":512,"dtype":"f32","work":268435456,"unit":"GFLOP/s"},
  {"name":"matmul 1024","kind":"matmul","size":1024,"dtype":"f32","work":2147483648,"unit":"GFLOP/s"},
  {"name":"matmul 2048","kind":"matmul","size":2048,"dtype":"f32","work":17179869184,"unit":"GFLOP/s"},
  {"name":"matmul 4096","kind":"matmul","size":4096,"dtype":"f32","work":137438953472,"unit":"GFLOP/s"},
  {"name":"matmul 4096 f16","kind":"matmul","size":4096,"dtype":"f16","work":137438953472,"unit":"GFLOP/s"},
  {"name":"conv c1 [32,3,32,32]→64 3×3","kind":"conv","input":[32,3,32,32],"outputs":64,"kernel":3,"padding":1,"work":113246208,"unit":"GFLOP/s"},
  {"name":"conv c2 [32,64,32,32]→64 3×3","kind":"conv","input":[32,64,32,32],"outputs":64,"kernel":3,"padding":1,"work":2415919104,"unit":"GFLOP/s"},
  {"name":"conv c3 [32,256,8,8]→512 3×3","kind":"conv","input":[32,256,8,8],"outputs":512,"kernel":3,"padding":1,"work":4831838208,"unit":"GFLOP/s"},
  {"name":"conv c4 [64,1,28,28]→20 5×5","kind":"conv","input":[64,1,28,28],"outputs":20,"kernel":5,"padding":0,"work":36864000,"unit":"GFLOP/s"},
  {"name":"LeNet-5 training, batch 64","kind":"training","network":"lenet5","batch":64,"graphs":false,"work":64,"unit":"images/s"},
  {"name":"LeNet-5 training, batch 64, CUDA graphs","kind":"training","network":"lenet5","batch":64,"graphs":true,"work":64,"unit":"images/s"},
  {"name":"LeNet-5 training, batch 256","kind":"training","network":"lenet5","batch":256,"graphs":false,"work":256,"unit":"images/s"},
  {"name":"LeNet-5 inference, batch 1024","kind":"inference","batch":1024,"work":1024,"unit":"images/s"},
  {"name":"VGG-16 training, batch 32","kind":"training","network":"vgg16","batch":32,"graphs":false,"work":32,"unit":"images/s"},
  {"name":"VGG-16 training, batch 128","kind":"training","network":"vgg16","batch":128,"graphs":false,"work":128,"unit":"images/s"},
  {"name":"blend [256,3,224,224]","kind":"blend","shape":[256,3,224,224],"work":462422016,"unit":"GB/s"},
  {"name":"copy 256 MiB","kind":"copy","bytes":268435456,"work":536870912,"unit":"GB/s"}
]
"""
)

PER_UNIT = {"GFLOP/s": 1e9, "GB/s": 1e9, "images/s": 1}

SAMPLE_SECONDS = 0.3
SAMPLES = 7
LONG_SECONDS = 5
LONG_SAMPLES = 3
MOST_RUNS = 5000

VGG16 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"]


def measure(step, synchronize):
    """Median, smallest and largest seconds of one step, warmed up, over samples of about 0.3 s."""

    def timed(runs):
        start = time.perf_counter()
        for _ in range(runs):
            step()
        synchronize()
        return (time.perf_counter() - start) / runs

    def runs_for(seconds, one):
        return max(1, min(MOST_RUNS, round(seconds / one)))

    one = timed(1)
    if one > LONG_SECONDS:
        one = timed(1)
    if one > LONG_SECONDS:
        runs = 1
        samples = [one] + [timed(1) for _ in range(LONG_SAMPLES - 1)]
    else:
        for _ in range(3):
            one = timed(runs_for(SAMPLE_SECONDS / 2, one))
        runs = runs_for(SAMPLE_SECONDS, one)
        samples = [timed(runs) for _ in range(SAMPLES)]
    return {
        "median": statistics.median(samples),
        "min": min(samples),
        "max": max(samples),
        "samples": len(samples),
        "runs": runs,
    }


class Cannot(Exception):
    """Why a workload cannot run here."""


def lenet5(nn):
    """LeNet-5 as in src/nn/networks/lenet.ts, for images [N, 1, 28, 28]."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(576, 120), nn.ReLU(inplace=True),
        nn.Linear(120, 84), nn.ReLU(inplace=True),
        nn.Linear(84, 10),
    )  # fmt: skip


def vgg16(nn):
    """VGG-16 as in src/nn/networks/vgg.ts, for images [N, 3, 32, 32]."""
    layers = []
    channels = 3
    for entry in VGG16:
        if entry == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, entry, 3, padding=1), nn.BatchNorm2d(entry), nn.ReLU(inplace=True)]
        channels = entry
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


class Engine:
    """PyTorch and its device; a method for each kind of workload gives the step to time."""

    def __init__(self, torch):
        self.torch = torch
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.cuda else "cpu")
        torch.manual_seed(1)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True

    def about(self):
        torch = self.torch
        versions = {"torch": torch.__version__}
        if self.cuda:
            versions["CUDA"] = torch.version.cuda
            versions["cuDNN"] = str(torch.backends.cudnn.version())
            adapter = torch.cuda.get_device_name()
        else:
            adapter = f"CPU, {torch.get_num_threads()} threads"
        return {"engine": "torch", "versions": versions, "device": {"adapter": adapter, "tf32": False}}

    def synchronize(self):
        if self.cuda:
            self.torch.cuda.synchronize()

    def random(self, *shape, dtype=None):
        return self.torch.randn(*shape, device=self.device).to(dtype or self.torch.float32)

    def matmul(self, workload):
        size = workload["size"]
        dtype = {"f32": self.torch.float32, "f16": self.torch.float16}[workload["dtype"]]
        a, b = self.random(size, size, dtype=dtype), self.random(size, size, dtype=dtype)
        out = self.torch.empty_like(a)
        return lambda: self.torch.matmul(a, b, out=out)

    def conv(self, workload):
        kernel, padding = workload["kernel"], workload["padding"]
        x = self.random(*workload["input"])
        w = self.random(workload["outputs"], workload["input"][1], kernel, kernel)
        convolve = self.torch.nn.functional.conv2d

        def step():
            with self.torch.inference_mode():
                convolve(x, w, padding=padding)

        return step

    def training(self, workload):
        torch, batch = self.torch, workload["batch"]
        vgg = workload["network"] == "vgg16"
        model = (vgg16 if vgg else lenet5)(torch.nn).to(self.device)
        images = self.random(batch, 3, 32, 32) if vgg else self.random(batch, 1, 28, 28)
        targets = torch.softmax(self.random(batch, 10), 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        cross_entropy = torch.nn.CrossEntropyLoss()

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = cross_entropy(model(images), targets)
            loss.backward()
            optimizer.step()
            return loss

        if not workload["graphs"]:
            return step
        if not self.cuda:
            raise Cannot("CUDA graphs need a CUDA device")
        return self.captured(step)

    def captured(self, step):
        """The same step as a CUDA graph, by the recipe of PyTorch's notes: warmed up on a stream of its own."""
        torch = self.torch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def inference(self, workload):
        model = lenet5(self.torch.nn).to(self.device).eval()
        images = self.random(workload["batch"], 1, 28, 28)

        def step():
            with self.torch.inference_mode():
                model(images)

        return step

    def blend(self, workload):
        batch, *image = workload["shape"]
        halves = []
        for _ in range(2):
            a, b = self.random(batch // 2, *image), self.random(batch // 2, *image)
            weights = self.torch.rand(batch // 2, 1, 1, 1, device=self.device)
            halves.append((a, b, weights, self.torch.empty_like(a)))

        def step():
            for a, b, weights, out in halves:
                self.torch.lerp(b, a, weights, out=out)

        return step

    def copy(self, workload):
        source = self.random(workload["bytes"] // 4)
        target = self.torch.empty_like(source)
        return lambda: target.copy_(source)

    def result(self, workload):
        try:
            return measure(getattr(self, workload["kind"])(workload), self.synchronize)
        except (Cannot, RuntimeError, MemoryError) as error:
            return {"cannot": str(error).split("\n")[0]}


def main():
    parser = argparse.ArgumentParser(description="Time PyTorch on the workloads of bench/peers.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="names of workloads")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument("--about", action="store_true", help="only say what computes, measure nothing")
    options = parser.parse_args()
    by_name = {workload["name"]: workload for workload in WORKLOADS}
    unknown = [name for name in options.workloads if name not in by_name]
    if unknown:
        parser.error(f'no workload is called "{unknown[0]}"; there are: {", ".join(by_name)}')
    try:
        import torch
    except ImportError as error:
        if options.json:
            print(json.dumps({"missing": str(error)}))
            return
        sys.exit(f"torch_bench: {error}; install it: python3 -m pip install torch")
    engine = Engine(torch)
    names = [] if options.about else options.workloads or list(by_name)
    if options.json:
        print(json.dumps(engine.about()), flush=True)
    else:
        about = engine.about()
        print(about["device"]["adapter"], *(f"{name} {version}" for name, version in about["versions"].items()), sep=", ")
    for name in names:
        workload = by_name[name]
        result = engine.result(workload)
        if options.json:
            print(json.dumps({"workload": name, **result}), flush=True)
        elif "cannot" in result:
            print(f"{name:34} cannot: {result['cannot']}", flush=True)
        else:
            rate = workload["work"] / result["median"] / PER_UNIT[workload["unit"]]
            print(f"{name:34} {rate:12.4g} {workload['unit']:9} {1000 * result['median']:10.4g} ms", flush=True)


if __name__ == "__main__":
    main()
