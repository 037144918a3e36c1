import { findPublished } from "../../peers/python.mjs";
import { architecturesWork } from "./support/architectures-work.mjs";

// What timm, transformers and torchvision publish, with weights at random, as PyTorch's exporters write it.
export const prove = architecturesWork("published.py", findPublished);
