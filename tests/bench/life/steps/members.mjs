export const making = [];
export const ending = [];
