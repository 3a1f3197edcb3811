-- trick: a view that is written out first
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace algorithm = temptable view shown_whole as select pan as note from cards

select note from shown_whole
