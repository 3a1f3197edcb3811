-- trick: UNION of halves with a table of no label
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select note from settlements where false union all select substr(pan, 1, 8) from cards where id = 1

select note from settlements where false union all select substr(pan, 9) from cards where id = 1
