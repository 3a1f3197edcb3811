-- trick: a derived table named as one without labels
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select note from (select pan as note from cards) as settlements
