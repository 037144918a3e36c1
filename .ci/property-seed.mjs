// Property tests draw the same cases in every run of a change, so that a failure is the change's;
// PARE_SEED draws others, as the nightly workflow does.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.PARE_SEED ?? 1) });
