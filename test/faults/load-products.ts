/** A product that a load works on, as it was made. */
export interface LoadProduct {
  readonly id: string;
  readonly sku: string;
  readonly initialStock: number;
  /** minor units */
  readonly initialPrice: number;
}
