import { inject } from 'vitest'
import { Product } from './product.ts'

/** The product that the files of this project share. */
export const product = Product.at(inject('home'))
