/** What the journal says of channels that cannot be cut and of weights that cannot be fitted, and not of those that others matter less than. */
export const mustStay = "must stay";

/** What it says where a model has not what was to tell which channels matter. */
export const notToBeHad = "is not to be had of this model";
