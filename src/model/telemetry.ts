/**
 * Keeps ONNX Runtime's telemetry off: from 1.30 on its builds for Linux and macOS send what models and devices a process
 * runs to Microsoft, and keep an identifier of the machine in ~/.cache, unless this variable is set before the library is
 * loaded (microsoft/onnxruntime, docs/Privacy.md and core/platform/posix/telemetry.cc). A robot's data are nobody's but its
 * owner's. What the user has set stands.
 *
 * To be called in the main thread: elsewhere `process.env` is a copy that the library does not see.
 */
export function keepTelemetryOff(): void {
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
}
