import type { OrderLoad } from './order-load.ts';

/** Customers that are signed in, each placing one order after the other. */
export type VendureLoad = Pick<OrderLoad, 'port' | 'tokens' | 'seconds'> & { readonly variantIds: readonly string[] };

export interface VendureLoadResult {
  /** orders that are paid, by their answers */
  readonly placed: number;
  readonly distinctOrders: number;
  /** what was wrong with answers, of each client the first */
  readonly wrong: readonly string[];
  /** until the last answer */
  readonly seconds: number;
}

/** A request of the shop API. */
export interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

const problem = '... on ErrorResult { errorCode message }';
const addItem = `mutation($id: ID!) { answer: addItemToOrder(productVariantId: $id, quantity: 1) { __typename ${problem} } }`;
const setAddress = `mutation($input: CreateAddressInput!) { answer: setOrderShippingAddress(input: $input) { __typename ${problem} } }`;
const setShipping = `mutation($ids: [ID!]!) { answer: setOrderShippingMethod(shippingMethodId: $ids) { __typename ${problem} } }`;
const toPayment = `mutation { answer: transitionOrderToState(state: "ArrangingPayment") { __typename ... on OrderStateTransitionError { errorCode message } } }`;
const pay = `mutation { answer: addPaymentToOrder(input: { method: "settles", metadata: {} }) { __typename
  ... on Order { code state totalWithTax shippingWithTax lines { quantity linePriceWithTax productVariant { id } } } ${problem} } }`;
const input = {
  ...{ fullName: 'A Customer', streetLine1: '1 High Street', city: 'Leeds', postalCode: 'LS1 1AA', countryCode: 'GB' },
};

/** What a storefront asks for an order of one piece each; the last answer is the order. */
export function orderRequests(variantIds: readonly string[]): readonly GraphqlRequest[] {
  return [
    ...variantIds.map((id) => ({ query: addItem, variables: { id } })),
    { query: setAddress, variables: { input } },
    { query: setShipping, variables: { ids: ['1'] } },
    { query: toPayment },
    { query: pay },
  ];
}

interface VendureOrder {
  readonly __typename: string;
  readonly code: string;
  readonly state: string;
  readonly totalWithTax: number;
  readonly shippingWithTax: number;
  readonly lines: readonly {
    readonly quantity: number;
    readonly linePriceWithTax: number;
    readonly productVariant: { readonly id: string };
  }[];
}

/** The order, if an answer is a step that succeeded; what is wrong with it otherwise. */
export function orderOf(status: string, body: string): VendureOrder | string {
  const order = status === '200' ? JSON.parse(body).data?.answer : undefined;
  return order?.__typename === 'Order' ? order : `${status}: ${body.slice(0, 300)}`;
}

/** What is wrong with the answer to a payment, if anything is. */
export function problemOfPaid(order: VendureOrder, variantIds: readonly string[]): string | undefined {
  const bought = order.lines.map(({ quantity, productVariant }) => `${quantity} ${productVariant.id}`).sort();
  const sum = order.lines.reduce((total, { linePriceWithTax }) => total + linePriceWithTax, order.shippingWithTax);
  const right =
    order.state === 'PaymentSettled' &&
    sum === order.totalWithTax &&
    bought.join() ===
      variantIds
        .map((id) => `1 ${id}`)
        .sort()
        .join();
  return right ? undefined : `not what was ordered: ${JSON.stringify(order)}`;
}

/** Every way in which Vendure would drop, double or garble an order. `stored`: paid orders in its database, more than before. */
export function problemsOfVendure({
  placed,
  distinctOrders,
  wrong,
  stored,
}: Omit<VendureLoadResult, 'seconds'> & { readonly stored: number }): readonly string[] {
  return [
    ...(placed === 0 ? ['no order was placed'] : []),
    ...(distinctOrders === placed ? [] : [`${placed} answers name ${distinctOrders} orders`]),
    ...(stored === placed ? [] : [`${placed} orders were answered and ${stored} are stored`]),
    ...wrong,
  ];
}
