-- trick: several statements, one behind a comment
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

select 1 /* ; */ ; -- ;
 select pan from cards
