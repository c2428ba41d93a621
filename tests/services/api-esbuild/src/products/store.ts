export interface Product {
  id: string;
  name: string;
}

const products: Product[] = [
  { id: '1', name: 'anvil' },
  { id: '2', name: 'rope' },
];

export const all = (): Product[] => products;
export const find = (id: string): Product | undefined => products.find((p) => p.id === id);
