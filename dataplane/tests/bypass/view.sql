-- trick: a view
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create temp view shown as select pan as note from cards

select note from shown
