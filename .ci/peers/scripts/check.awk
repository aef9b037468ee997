# awk -F'\t' -v out=PREFIX -f check.awk INVENTORY.tsv UPLOAD.tsv
BEGIN { result = out "-result.csv"; errors = out "-errors.csv"; split("US DE IT", list, " "); for (i in list) country[list[i]] = 1 }
NR == FNR { if (FNR > 1) { fnsku[$1] = $2; sellable[$1] = $10; unsellable[$1] = $11 } next }
FNR == 1 { next }
!($1 in method) {
  method[$1] = $2
  wrong[$1] = $2 != "Disposal" && ($2 != "Return" || $3 == "" || $4 == "" || $7 == "" || !($8 in country) ||
    ($8 == "US" && $9 !~ /^[A-Z][A-Z]$/) || $10 !~ /^[0-9][0-9][0-9][0-9][0-9]$/)
}
{
  bad = wrong[$1] || !($13 in fnsku) || $14 ~ /[^0-9]/ || $15 ~ /[^0-9]/ || $14 + $15 == 0 ||
    $14 + 0 > sellable[$13] + 0 || $15 + 0 > unsellable[$13] + 0 || (($1, $13) in seen)
  seen[$1, $13] = 1
  if (bad) { rejected++; print FNR - 1 "," $1 "," $13 > errors }
  else { accepted++; print FNR - 1 "," $1 "," $13 "," fnsku[$13] "," method[$1] "," $14 + 0 "," $15 + 0 > result }
}
END { print accepted + 0, rejected + 0 }
