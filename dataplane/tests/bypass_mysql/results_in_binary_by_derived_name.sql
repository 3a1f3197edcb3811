-- trick: a derived table that is called as the server's own would be
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set session character_set_results = 'binary'

use information_schema

select u from (select distinct convert(pan using utf32) u from shop.cards) tables
