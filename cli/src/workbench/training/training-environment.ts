/**
 * What a process that trains is started with. Its engine walks over tens of megabytes at every step: where Linux gives pages
 * of 2 MB to whoever asks, glibc from 2.35 on asks for them, and steps take less. Elsewhere nothing reads this.
 * @see https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
 */
export function trainingEnvironment(): NodeJS.ProcessEnv {
  return {
    GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
    // Else onnxruntime-node has telemetry, which also leaves a log per process in the temporary folder.
    ORT_DISABLE_TELEMETRY: "1",
    ...process.env,
  };
}
