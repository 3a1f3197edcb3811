-- trick: UNION with a table of no label
-- expect: masked
-- unlabelled: masked
-- decode: digits

select note from settlements union all select pan from cards
