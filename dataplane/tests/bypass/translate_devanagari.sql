-- trick: Devanagari digits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select translate(pan, '0123456789', '०१२३४५६७८९') from cards
