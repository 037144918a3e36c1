import { longerIsNoWorse } from "./support/longer-is-no-worse.mjs";

export const prove = longerIsNoWorse("centerface");
