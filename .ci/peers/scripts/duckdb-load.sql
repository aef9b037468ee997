SET threads = 2;
ATTACH '{{.Dir}}/duck.db' AS shop;
CREATE OR REPLACE TABLE shop.stock AS
  SELECT sku, fnsku, "afn-fulfillable-quantity" AS sellable, "afn-unsellable-quantity" AS unsellable
  FROM read_csv('{{.Inventory}}', delim = '\t', quote = '', escape = '', header = true, auto_detect = false, columns = {
    'sku': 'VARCHAR', 'fnsku': 'VARCHAR', 'asin': 'VARCHAR', 'product-name': 'VARCHAR', 'condition': 'VARCHAR',
    'your-price': 'VARCHAR', 'mfn-listing-exists': 'VARCHAR', 'afn-listing-exists': 'VARCHAR',
    'afn-warehouse-quantity': 'INTEGER', 'afn-fulfillable-quantity': 'INTEGER', 'afn-unsellable-quantity': 'INTEGER',
    'afn-reserved-quantity': 'INTEGER', 'per-unit-volume': 'VARCHAR'});
SELECT count(*), 0 FROM shop.stock;
