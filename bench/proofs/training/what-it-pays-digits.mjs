// Of the digits' classifier: what pruning and distilling pay.
import { paysOff } from "./support/what-it-pays.mjs";

export const prove = (proof) => paysOff("training/what-it-pays-digits", "mnist-cnn", proof);
