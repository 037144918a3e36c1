/** Products of a convolution that takes so little time that it does not pay to put its channels in blocks. */
export const fewProducts = 2 ** 20;
