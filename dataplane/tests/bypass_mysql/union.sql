-- trick: UNION with a table of no label
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select note from settlements where false union all select pan from cards
