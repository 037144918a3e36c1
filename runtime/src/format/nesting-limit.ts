/**
 * How deep what a stranger wrote may nest: messages of a model, JSON and YAML. What recurses over it takes a level of
 * the stack for each, and a model of use has a few.
 */
export const nestingLimit = 64;
