import type { DeviceStats } from "./device.js";

/** Keeps a device's counters. */
export class StatsCounter {
  private liveBuffers = 0;
  private liveBytes = 0;
  private peakBytes = 0;
  private buffersCreated = 0;
  pipelinesCreated = 0;
  bindGroupsCreated = 0;
  submits = 0;
  dispatches = 0;
  reads = 0;

  allocated(bytes: number): void {
    this.liveBuffers++;
    this.buffersCreated++;
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  freed(bytes: number): void {
    this.liveBuffers--;
    this.liveBytes -= bytes;
  }

  snapshot(): DeviceStats {
    const { liveBuffers, liveBytes, peakBytes, buffersCreated } = this;
    const { pipelinesCreated, bindGroupsCreated, submits, dispatches, reads } = this;
    return {
      liveBuffers,
      liveBytes,
      peakBytes,
      buffersCreated,
      pipelinesCreated,
      bindGroupsCreated,
      submits,
      dispatches,
      reads,
    };
  }
}
