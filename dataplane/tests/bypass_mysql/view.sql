-- trick: a view
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace view shown as select pan as note from cards

select note from shown
