-- trick: a WITH query named as a table without labels
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

with settlements as (select substr(pan, 1, 8) as note from cards where id = 1) select note from settlements

with settlements as (select substr(pan, 9) as note from cards where id = 1) select note from settlements
