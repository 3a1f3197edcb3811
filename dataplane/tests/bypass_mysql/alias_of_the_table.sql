-- trick: a table under the name of another
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select settlements.pan from cards as settlements
