PRAGMA temp_store = MEMORY;
.mode ascii
.separator "\t" "\n"
.import {{.Inventory}} raw
.mode csv
.import {{.Upload}} line
CREATE TABLE stock (sku TEXT PRIMARY KEY, fnsku TEXT, sellable INTEGER, unsellable INTEGER) WITHOUT ROWID;
INSERT INTO stock SELECT sku, fnsku, "afn-fulfillable-quantity", "afn-unsellable-quantity" FROM raw;
CREATE TABLE head (id TEXT PRIMARY KEY, method TEXT, wrong INTEGER) WITHOUT ROWID;
INSERT OR IGNORE INTO head SELECT MerchantRemovalOrderID, RemovalDisposition,
  RemovalDisposition <> 'Disposal' AND (RemovalDisposition <> 'Return'
  OR AddressName = '' OR AddressFieldOne = '' OR AddressCity = '' OR AddressCountryCode NOT IN ('US', 'DE', 'IT')
  OR AddressCountryCode = 'US' AND AddressStateOrRegion NOT GLOB '[A-Z][A-Z]'
  OR AddressPostalCode NOT GLOB '[0-9][0-9][0-9][0-9][0-9]') FROM line ORDER BY rowid;
CREATE TABLE first (id TEXT, sku TEXT, n INTEGER, PRIMARY KEY (id, sku)) WITHOUT ROWID;
INSERT OR IGNORE INTO first SELECT MerchantRemovalOrderID, MerchantSKU, rowid FROM line ORDER BY rowid;
CREATE TABLE answer AS SELECT line.rowid AS n, head.id, MerchantSKU AS sku, fnsku, method,
  CAST(SellableQuantity AS INTEGER) AS s, CAST(UnsellableQuantity AS INTEGER) AS u,
  wrong OR sellable IS NULL OR SellableQuantity GLOB '*[^0-9]*' OR UnsellableQuantity GLOB '*[^0-9]*'
  OR CAST(SellableQuantity AS INTEGER) + CAST(UnsellableQuantity AS INTEGER) = 0
  OR CAST(SellableQuantity AS INTEGER) > sellable OR CAST(UnsellableQuantity AS INTEGER) > unsellable
  OR line.rowid > first.n AS bad
  FROM line LEFT JOIN head ON head.id = MerchantRemovalOrderID LEFT JOIN stock ON stock.sku = MerchantSKU
  LEFT JOIN first ON first.id = MerchantRemovalOrderID AND first.sku = MerchantSKU ORDER BY line.rowid;
.headers on
.output {{.Out}}-result.csv
SELECT n, id, sku, fnsku, method, s, u FROM answer WHERE NOT bad ORDER BY rowid;
.output {{.Out}}-errors.csv
SELECT n, id, sku FROM answer WHERE bad ORDER BY rowid;
.output stdout
.headers off
.mode list
.separator " "
SELECT count(*) FILTER (WHERE NOT bad), count(*) FILTER (WHERE bad) FROM answer;
