/** What the journal says of channels that cannot be cut and of weights that cannot be fitted, and not of those that others matter less than. */
export const mustStay = "must stay";
