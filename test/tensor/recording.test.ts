import { describe, expect, it } from "vitest";
import {
  createTensor,
  DisposedError,
  readTensor,
  record,
  Recorder,
  replay,
  runOnce,
  slice,
  writeTensor,
  type Device,
  type Tensor,
} from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";
import { addLaunch, increaseLaunch } from "./programs.js";

const devices = useDevices();

const words = (device: Device, data: number[], name = "words") =>
  createTensor(device, [data.length], { dtype: "u32", data, name });

/** Records x + 1 + 1 + … in `depth` launches, each with an intermediate of its own; the last one is kept. */
function chain(recorder: Recorder, x: Tensor<"u32">, depth: number): Tensor<"u32"> {
  let last = x;
  for (let link = 0; link < depth; link++) {
    const next = recorder.temporary(x.shape, `link ${link}`, "u32");
    recorder.add(addLaunch(last, next, 1));
    last = next;
  }
  return recorder.keep(last);
}

describe.each(["cpu", "gpu"] as const)("a recording, device %s", (name) => {
  it("has not run when it is made, and runs as often as asked", async () => {
    const counter = words(devices[name], [5]);
    const recording = await record(devices[name], (recorder) => {
      recorder.add(increaseLaunch(counter, 2));
    });
    expect([...(await readTensor(counter))]).toEqual([5]);
    recording.run();
    recording.run(10);
    expect([...(await readTensor(counter))]).toEqual([27]);
    recording.run(0);
    expect([...(await readTensor(counter))]).toEqual([27]);
    recording.dispose();
    counter.dispose();
  });

  it("shares memory between intermediates and still gives the right values", async () => {
    const x = words(devices[name], [1, 2, 3]);
    const recording = await record(devices[name], (recorder) => ({
      first: chain(recorder, x, 9),
      second: chain(recorder, x, 20),
    }));
    // The kept ones and two for each chain to alternate between, of 12 bytes.
    expect(recording).toMatchObject({ temporaryBytes: 3 * 12, leastBytes: 3 * 12, unsharedBytes: (9 + 20) * 12 });
    recording.run(2);
    expect([...(await readTensor(recording.result.first))]).toEqual([10, 11, 12]);
    expect([...(await readTensor(recording.result.second))]).toEqual([21, 22, 23]);
    recording.dispose();
    x.dispose();
  });

  it("lays intermediates side by side where a larger one lies later, and still gives the right values", async () => {
    const numbers = (length: number) => Array.from({ length }, (_, index) => index);
    const [small, large] = [words(devices[name], numbers(64)), words(devices[name], numbers(128))];
    const recording = await record(devices[name], (recorder) => {
      const temporary = (label: string, length: number) => recorder.temporary([length], label, "u32");
      const [a, b, outA, outB] = ["a", "b", "out a", "out b"].map((label) => temporary(label, 64));
      const [big, outBig] = [temporary("big", 128), temporary("out big", 128)];
      const steps = [small, a, small, b, a, outA, b, outB, large, big, big, outBig];
      for (let at = 0; at < steps.length; at += 2) recorder.add(addLaunch(steps[at], steps[at + 1], at + 1));
      return [outA, outB, outBig].map((tensor) => recorder.keep(tensor));
    });
    const kept = 2 * 256 + 512;
    expect(recording).toMatchObject({ temporaryBytes: kept + 512, leastBytes: kept + 512, unsharedBytes: kept + 1024 });
    recording.run(2);
    const [outA, outB, outBig] = await Promise.all(recording.result.map((tensor) => readTensor(tensor)));
    expect([...outA]).toEqual(numbers(64).map((value) => value + 1 + 5));
    expect([...outB]).toEqual(numbers(64).map((value) => value + 3 + 7));
    expect([...outBig]).toEqual(numbers(128).map((value) => value + 9 + 11));
    recording.dispose();
    for (const tensor of [small, large]) tensor.dispose();
  });

  it("gives what it keeps buffers of their own, so that another recording may read one and write the other", async () => {
    const large = words(devices[name], new Array<number>(128).fill(1));
    const small = words(devices[name], new Array<number>(64).fill(1));
    const first = await record(devices[name], (recorder) => {
      const [big, copy] = ["big", "copy"].map((label) => recorder.temporary([128], label, "u32"));
      recorder.add(addLaunch(large, big, 0));
      recorder.add(addLaunch(big, copy, 0));
      const kept = ["from", "to"].map((label) => recorder.keep(recorder.temporary([64], label, "u32")));
      for (const tensor of kept) recorder.add(addLaunch(small, tensor, 1));
      return kept;
    });
    const [from, to] = first.result;
    const second = await record(devices[name], (recorder) => {
      recorder.add(addLaunch(from, to, 5));
    });
    first.run();
    second.run();
    expect(new Set(await readTensor(from))).toEqual(new Set([2]));
    expect(new Set(await readTensor(to))).toEqual(new Set([7]));
    for (const each of [first, second, large, small]) each.dispose();
  });

  it("sees what the host writes between runs, each run what was written before it", async () => {
    const x = words(devices[name], [0]);
    const sum = words(devices[name], [0, 0, 0]);
    const recording = await record(devices[name], (recorder) => {
      const next = recorder.temporary([1], "next", "u32");
      recorder.add(addLaunch(x, next, 1));
      return recorder.keep(next);
    });
    const seen: Promise<Uint32Array>[] = [];
    for (const value of [10, 20, 30]) {
      writeTensor(x, [value]);
      recording.run();
      seen.push(readTensor(recording.result));
    }
    writeTensor(x, [99]);
    expect((await Promise.all(seen)).map(([value]) => value)).toEqual([11, 21, 31]);
    recording.dispose();
    for (const tensor of [x, sum]) tensor.dispose();
  });

  it("creates nothing when it is replayed, and frees everything when it is disposed of, once", async () => {
    const device = devices[name];
    const x = words(device, [1, 2, 3, 4]);
    const before = device.stats();
    const recording = await record(device, (recorder) => chain(recorder, x, 6));
    recording.run();
    await device.finish();
    const recorded = device.stats();
    for (let run = 0; run < 5; run++) recording.run(20);
    await device.finish();
    const { submits, dispatches, ...created } = device.stats();
    const { submits: firstSubmits, dispatches: firstDispatches, ...createdFirst } = recorded;
    expect(created).toEqual(createdFirst);
    expect(submits - firstSubmits).toBe(5);
    expect(dispatches - firstDispatches).toBe(5 * 20 * 6);

    recording.dispose();
    recording.dispose();
    expect(device.stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
    expect(() => {
      recording.run();
    }).toThrow(new DisposedError("recording: run after dispose(); keep it until its last run"));
    await expect(readTensor(recording.result)).rejects.toThrow(`tensor "link 5" [4] was disposed`);
    x.dispose();
  });

  it("starts its intermediates from NaN bits on a poisoned device", async () => {
    const device = devices[name];
    const recording = await record(device, (recorder) => {
      const next = recorder.temporary([3], "unwritten", "u32");
      recorder.add({ ...increaseLaunch(next, 0) });
      return recorder.keep(next);
    });
    recording.run();
    expect([...(await readTensor(recording.result))]).toEqual([0xffffffff, 0xffffffff, 0xffffffff]);
    recording.dispose();
  });

  it("names an intermediate that is used outside of its time", async () => {
    const device = devices[name];
    const x = words(device, [1]);
    let early: Tensor<"u32"> | undefined;
    const recording = await record(device, (recorder) => {
      early = recorder.temporary([1], "early", "u32");
      recorder.add(addLaunch(x, early, 1));
      expect(() => early!.storage).toThrow(
        `tensor "early" [1] is an intermediate that no kernel writes, or of a recording that is not finished; ` +
          "await record() first",
      );
      return chain(recorder, early, 2);
    });
    await expect(readTensor(early!)).rejects.toThrow(
      `tensor "early" [1] is an intermediate whose memory others use too; recorder.keep() it to read it`,
    );
    expect(() => {
      writeTensor(early!, [7]);
    }).toThrow(`tensor "early" [1] is an intermediate whose memory others use too; recorder.keep() it to write to it`);
    expect(() => {
      recording.result.dispose();
    }).toThrow(`tensor "link 1" [1] is an intermediate; dispose of its recording instead`);
    recording.run();
    expect([...(await readTensor(recording.result))]).toEqual([4]);
    recording.dispose();
    x.dispose();
  });

  it("refuses a kernel that reads what none has written", async () => {
    const body = (recorder: Recorder) => {
      const [a, b] = ["a", "b"].map((label) => recorder.temporary([1], label, "u32"));
      recorder.add(addLaunch(a, b, 1));
    };
    await expect(record(devices[name], body)).rejects.toThrow(`add: reads "a" before any kernel has written it`);
  });

  it("refuses to run after a tensor that it uses was disposed, and leaves the device well", async () => {
    const device = devices[name];
    const [x, out] = [words(device, [1], "x"), words(device, [0], "out")];
    const recording = await record(device, (recorder) => {
      recorder.add(addLaunch(x, out, 1));
    });
    x.dispose();
    expect(() => {
      recording.run();
    }).toThrow(`recording: run after tensor "x", which it uses, was disposed; keep both together`);
    await expect(
      record(device, (recorder) => chain(recorder, x, 1)).then((made) => {
        made.run();
      }),
    ).rejects.toThrow(DisposedError);
    expect([...(await readTensor(out))]).toEqual([0]);
    recording.dispose();
    out.dispose();
  });

  it("uses another recording's intermediate only where that keeps it, and as long as that lives", async () => {
    const x = words(devices[name], [1]);
    const first = await record(devices[name], (recorder) => {
      const lost = recorder.temporary([1], "lost", "u32");
      recorder.add(addLaunch(x, lost, 1));
      const kept = recorder.temporary([1], "kept", "u32");
      recorder.add(addLaunch(lost, kept, 1));
      return { lost, kept: recorder.keep(kept) };
    });
    const follow = (from: Tensor<"u32">) =>
      record(devices[name], (recorder) => {
        const next = recorder.temporary([1], "next", "u32");
        recorder.add(addLaunch(from, next, 1));
        return recorder.keep(next);
      });
    await expect(follow(first.result.lost)).rejects.toThrow("is an intermediate of another recording");
    const into = record(devices[name], (recorder) => {
      recorder.add(addLaunch(x, first.result.lost, 1));
    });
    await expect(into).rejects.toThrow('add: "lost" is an intermediate of another recording');
    const second = await follow(first.result.kept);
    first.run();
    second.run();
    expect([...(await readTensor(second.result))]).toEqual([4]);
    first.dispose();
    expect(() => {
      second.run();
    }).toThrow(DisposedError);
    second.dispose();
    x.dispose();
  });

  it("keeps nothing whose memory is planned already", async () => {
    const x = words(devices[name], [1]);
    const made: { recorder?: Recorder; lost?: Tensor } = {};
    const recording = await record(devices[name], (recorder) => {
      const lost = recorder.temporary([1], "lost", "u32");
      recorder.add(addLaunch(x, lost, 1));
      Object.assign(made, { recorder, lost });
      return chain(recorder, lost, 3);
    });
    const message =
      'keep: "lost" is an intermediate of a recording that is finished, whose memory others use too; keep it within ' +
      "the function that record() calls to make it";
    expect(() => made.recorder!.keep(made.lost!)).toThrow(message);
    await expect(record(devices[name], (recorder) => recorder.keep(made.lost!))).rejects.toThrow(message);
    // What is kept, and what lasts, may be kept again.
    const again = await record(devices[name], (recorder) => [recorder.keep(recording.result), recorder.keep(x)]);
    for (const one of [again, recording, x]) one.dispose();
  });

  it("refuses a kernel that would read and write one buffer, or write one place twice", () => {
    const recorder = new Recorder(devices[name]);
    const x = createTensor(devices[name], [256], { dtype: "u32", name: "x" });
    const [low, high] = [slice(x, 0, [64], "low"), slice(x, 128, [64], "high")];
    expect(() => {
      recorder.add(addLaunch(low, high, 1));
    }).toThrow(
      `add: "low" shares a buffer with the output "high"; a kernel cannot read and write one buffer through two ` +
        `bindings: give it an output of its own`,
    );
    const two = (writes: Tensor[]) => ({ ...increaseLaunch(x, 1), writes });
    expect(() => {
      recorder.add(two([low, x]));
    }).toThrow(`increase: its outputs "low" and "x" overlap`);
    recorder.add(two([low, high]));
    recorder.add(two([high, low]));
    expect(recorder.launches.length).toBe(2);
    x.dispose();
  });

  it("refuses tensors of another device", () => {
    const [own, other] = name === "cpu" ? [devices.cpu, devices.gpu] : [devices.gpu, devices.cpu];
    const foreign = words(other, [1], "foreign");
    const recorder = new Recorder(own);
    expect(() => {
      recorder.add(addLaunch(foreign, recorder.temporary([1], "out", "u32"), 1));
    }).toThrow(
      `add: tensor "foreign" lives on another device (${other.info.adapter}) than the recording ` +
        `(${own.info.adapter}); copy it over first`,
    );
    foreign.dispose();
  });

  it("leaves nothing behind when recording fails", async () => {
    const device = devices[name];
    const x = words(device, [1]);
    const before = device.stats();
    await expect(
      record(device, (recorder) => {
        chain(recorder, x, 3);
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    expect(device.stats().liveBytes).toBe(before.liveBytes);
    x.dispose();
  });

  it("takes no launch once it is finished, nor a function that waits for something", async () => {
    const device = devices[name];
    const x = words(device, [1]);
    const before = device.stats();
    let late: Recorder | undefined;
    const recording = await record(device, (recorder) => {
      late = recorder;
      recorder.add(increaseLaunch(x, 1));
    });
    expect(() => {
      late!.add(increaseLaunch(x, 1));
    }).toThrow("launched after its recording was finished");
    recording.run();
    expect([...(await readTensor(x))]).toEqual([2]);
    recording.dispose();

    const waiting = record(device, async (recorder) => {
      await Promise.resolve();
      recorder.add(increaseLaunch(x, 1));
    });
    await expect(waiting).rejects.toThrow("record: its function returned a promise");
    expect(device.stats().liveBytes).toBe(before.liveBytes);
    x.dispose();
  });

  it("runOnce runs once and frees its intermediates", async () => {
    const device = devices[name];
    const counter = words(device, [0]);
    const before = device.stats();
    await runOnce(device, (recorder) => {
      chain(recorder, counter, 3);
      recorder.add(increaseLaunch(counter, 3));
    });
    expect([...(await readTensor(counter))]).toEqual([3]);
    expect(device.stats().liveBytes).toBe(before.liveBytes);
    counter.dispose();
  });
});

describe.each(["cpu", "gpu"] as const)("replay, device %s", (name) => {
  const counting = async () => {
    const counter = words(devices[name], [0]);
    const recording = await record(devices[name], (recorder) => {
      recorder.add(increaseLaunch(counter, 1));
    });
    const end = async () => {
      const [count] = await readTensor(counter);
      recording.dispose();
      counter.dispose();
      return count;
    };
    return { recording, end };
  };

  it("runs exactly so many times, in few submits, and tells how far it is", async () => {
    const { recording, end } = await counting();
    const { submits } = devices[name].stats();
    const progress: number[] = [];
    await replay(recording, 1001, { onProgress: (done) => progress.push(done) });
    expect(devices[name].stats().submits - submits).toBe(progress.length);
    expect(progress.length).toBeLessThan(100);
    expect(progress.at(-1)).toBe(1001);
    expect(progress.every((done, index) => index === 0 || done > progress[index - 1])).toBe(true);
    await replay(recording, 0);
    expect(await end()).toBe(1001);
  });

  it("refuses what is no number of runs", async () => {
    const { recording, end } = await counting();
    for (const times of [NaN, -1, 2.5]) {
      expect(() => {
        recording.run(times);
      }).toThrow(`recording.run: ${times} times; expected a whole number from 0 up`);
      await expect(replay(recording, times)).rejects.toThrow(`replay: ${times} times`);
    }
    expect(await end()).toBe(0);
  });

  it("stops between submits when the signal is aborted, with what is done kept", async () => {
    const { recording, end } = await counting();
    const control = new AbortController();
    let done = 0;
    const onProgress = (now: number) => {
      done = now;
      if (now > 10) control.abort(new Error("enough"));
    };
    await expect(replay(recording, 1_000_000, { signal: control.signal, onProgress })).rejects.toThrow("enough");
    expect(done).toBeLessThan(1_000_000);
    await expect(replay(recording, 5, { signal: control.signal })).rejects.toThrow("enough");
    expect(await end()).toBe(done);
  });
});
