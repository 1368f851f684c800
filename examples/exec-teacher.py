"""Serves a scikit-learn classifier to activemixup: --teacher "exec:python3 examples/exec-teacher.py model.joblib".

The frames are described in docs/teachers.md, and what to write in place of `predict` for PyTorch.
"""
import hashlib, json, os, struct, sys

path = sys.argv[1]
frames = os.fdopen(os.dup(1), "wb")  # Frames go here, ...
os.dup2(2, 1)  # ... and whatever is printed goes to stderr.

import joblib
model = joblib.load(path)
names = [str(name) for name in model.classes_]
def predict(pixels, count, channels, height, width):
    size = channels * height * width  # The model was trained on flat images, C H W, from 0 to 1.
    return model.predict_proba([[p / 255 for p in pixels[i * size : i * size + size]] for i in range(count)])

def send(kind, body):
    frames.write(struct.pack("<II", len(body), kind) + body)
    frames.flush()

digest = hashlib.sha256(open(path, "rb").read()).hexdigest()[:16]  # Another model has answers of its own.
name = f"{os.path.basename(path)}:{digest}"
send(1, json.dumps({"protocol": 1, "classes": len(names), "classNames": names, "name": name}).encode())
while head := sys.stdin.buffer.read(8):
    body = sys.stdin.buffer.read(struct.unpack("<II", head)[0])
    number, *shape = struct.unpack_from("<5I", body)
    values = [value for row in predict(body[20:], *shape) for value in row]
    send(3, struct.pack(f"<3I{len(values)}f", number, shape[0], len(names), *values))
