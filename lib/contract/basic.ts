/**
 * A text that is not empty.
 *
 * @minLength 1
 */
export type Text = string;

/**
 * A whole number.
 *
 * @asType integer
 * @minimum 0
 */
export type Count = number;
