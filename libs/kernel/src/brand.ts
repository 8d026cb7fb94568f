declare const brand: unique symbol

/** A value that has been checked and may not be swapped for another kind. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name }
