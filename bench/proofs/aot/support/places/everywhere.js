// For a browser that nothing drives: hears in every place there is, and says what it found.
const told = { agent: navigator.userAgent, found: {}, violations: [], error: null };
try {
  await import("./page.js");
  for (const [name, hear] of Object.entries(proof.places)) told.found[name] = await hear();
  told.violations = proof.violations;
} catch (error) {
  told.error = String(error);
}
await fetch("told", { method: "POST", body: JSON.stringify(told) });
