(* Does a model compute a counter machine, for all words, however large the counters grow?

   The relation is a list of entries, one for each control of the machine (and, in recognition, one for the dead words): in
   this control the model's state is an instance of this template, whose first parameters are the machine's counters.  The
   checker takes one step of both with forms instead of numbers, cutting the box of the parameters wherever a sign of a
   counter or of a neuron changes; the exporter's entries are a guess that need not be trusted. *)
From Verify Require Import SSM Languages FiniteRelation Forms Templates.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.
Open Scope Z_scope.

Record entry := Entry { alive : option nat; states : template }.         (* None: the word is dead *)

Section Checker.
Variables (m : model) (recognise : bool).
Variables (symbols : nat) (initial : nat * list Z) (moves : list move) (accepting : list (nat * list (nat * sign))).
Variable entries : list entry.
Let k := length (snd initial).

(* -- the machine with forms for counters ---------------------------------------------------------------------------- *)

Section Machine.
Variable b : box.
Definition test_form (cs : list form) (test : nat * sign) : outcome bool :=
  let f := nth (fst test) cs (constant 0) in
  bind (reaches_bound f 1 b) (fun positive => match snd test with
    | Positive => Done positive
    | Zero => if positive then Done false else reaches_bound f 0 b
    end).
Fixpoint tests_form (cs : list form) (ts : list (nat * sign)) : outcome bool :=
  match ts with [] => Done true | t :: ts => bind (test_form cs t) (fun r => if r then tests_form cs ts else Done false) end.
Fixpoint move_form (q : nat * list form) (a : nat) (ms : list move) : outcome (option move) :=
  match ms with
  | [] => Done None
  | x :: ms => if (Nat.eqb (control x) (fst q) && Nat.eqb (symbol x) a)%bool
               then bind (tests_form (snd q) (tests x)) (fun r => if r then Done (Some x) else move_form q a ms)
               else move_form q a ms
  end.
Definition moved (q : nat * list form) (x : move) : nat * list form :=
  (target x, map (fun p => plus (fst p) (constant (snd p))) (combine (snd q) (amounts x))).
Fixpoint accepts_form (q : nat * list form) (conditions : list (nat * list (nat * sign))) : outcome bool :=
  match conditions with
  | [] => Done false
  | c :: cs => if Nat.eqb (fst c) (fst q)
               then bind (tests_form (snd q) (snd c)) (fun r => if r then Done true else accepts_form q cs)
               else accepts_form q cs
  end.
Definition answer_form (q : option (nat * list form)) : outcome (list bool) :=
  match q with
  | None => Done [false]
  | Some q =>
      bind (accepts_form q accepting) (fun accepted =>
        if recognise then Done [accepted]
        else bind (each (fun a => bind (move_form q a moves) (fun r => Done (is_some r))) (seq 0 symbols))
               (fun legal => Done (legal ++ [accepted])))
  end.

Variable v : list Z.
Hypothesis v_inside : inside v b.
Definition valued (q : nat * list form) : nat * list Z := (fst q, map (value v) (snd q)).

Lemma test_right cs t r : test_form cs t = Done r -> r = passes (map (value v) cs) t.
Proof.
  unfold test_form, passes. intro H. apply bind_done in H as [positive [P H]]. apply (reaches_bound_right _ _ _ v _ v_inside) in P.
  rewrite <- nth_values. destruct (snd t).
  - destruct positive.
    + injection H as <-. symmetry in P. apply Z.leb_le in P. symmetry. apply Z.eqb_neq. lia.
    + apply (reaches_bound_right _ _ _ v _ v_inside) in H. symmetry in P. apply Z.leb_gt in P. subst r.
      destruct (0 <=? value v _) eqn:E; symmetry; [apply Z.leb_le in E; apply Z.eqb_eq|apply Z.leb_gt in E; apply Z.eqb_neq]; lia.
  - injection H as <-. subst. destruct (0 <? value v _) eqn:E; [apply Z.ltb_lt in E; apply Z.leb_le|apply Z.ltb_ge in E; apply Z.leb_gt]; lia.
Qed.
Lemma tests_right cs ts : forall r, tests_form cs ts = Done r -> r = forallb (passes (map (value v) cs)) ts.
Proof.
  induction ts as [|t ts IH]; intros r H; cbn [tests_form forallb] in *; [injection H as <-; reflexivity|].
  apply bind_done in H as [x [X H]]. apply test_right in X. rewrite <- X. destruct x; [apply IH; exact H|injection H as <-; reflexivity].
Qed.
Lemma move_right q a ms : forall r, move_form q a ms = Done r -> r = find (applies (valued q) a) ms.
Proof.
  induction ms as [|x ms IH]; intros r H; cbn [move_form find] in *; [injection H as <-; reflexivity|].
  unfold applies at 1. cbn [valued fst snd]. destruct (Nat.eqb (control x) (fst q) && Nat.eqb (symbol x) a)%bool; [|apply IH; exact H].
  apply bind_done in H as [y [Y H]]. apply tests_right in Y. cbn [andb]. rewrite <- Y.
  destruct y; [injection H as <-; reflexivity|apply IH; exact H].
Qed.
Lemma moved_right q x : valued (moved q x) = (target x, add (snd (valued q)) (amounts x)).
Proof.
  unfold valued, moved, add; cbn [fst snd]. f_equal. generalize (amounts x) as n.
  induction (snd q) as [|f cs IH]; intros [|n ns]; cbn [combine map]; auto. rewrite IH. cbn [fst snd]. rewrite value_plus, value_constant. reflexivity.
Qed.
Lemma accepts_right q cs : forall r, accepts_form q cs = Done r ->
  r = existsb (fun t => Nat.eqb (fst t) (fst (valued q)) && forallb (passes (snd (valued q))) (snd t))%bool cs.
Proof.
  induction cs as [|c cs IH]; intros r H; cbn [accepts_form existsb] in *; [injection H as <-; reflexivity|].
  cbn [valued fst snd] in *. destruct (Nat.eqb (fst c) (fst q)); [|apply IH; exact H].
  apply bind_done in H as [y [Y H]]. apply tests_right in Y. cbn [andb]. rewrite <- Y. destruct y; [injection H as <-; reflexivity|apply IH; exact H].
Qed.
End Machine.

(* -- what the model should give out --------------------------------------------------------------------------------- *)

Definition after (q : option (nat * list Z)) (a : nat) : option (nat * list Z) :=
  match q with Some q => counter_next moves q a | None => None end.
Definition expected (q : option (nat * list Z)) : list bool :=
  match q with
  | None => [false]
  | Some q => if recognise then [counter_accepts accepting q] else counter_answer symbols moves accepting q
  end.
Lemma answer_right b v q r : inside v b -> answer_form b q = Done r -> r = expected (option_map (valued v) q).
Proof.
  intros I H. destruct q as [q|]; cbn [answer_form option_map expected] in *; [|injection H as <-; reflexivity].
  apply bind_done in H as [accepted [A H]]. apply (accepts_right b v I) in A.
  change (accepted = counter_accepts accepting (valued v q)) in A. subst.
  destruct recognise; [injection H as <-; reflexivity|]. apply bind_done in H as [legal [L H]]. injection H as <-.
  unfold counter_answer. f_equal. apply each_done in L. induction L as [|a r' as_ rs E _ IH]; [reflexivity|]. cbn [map]. rewrite <- IH. f_equal.
  apply bind_done in E as [x [X E]]. injection E as <-. apply (move_right b v I) in X. subst x. unfold counter_next.
  destruct (find _ moves); reflexivity.
Qed.

(* -- the relation and its checker ----------------------------------------------------------------------------------- *)

Definition holds (q : option (nat * list Z)) (s : list (list Z)) : Prop :=
  exists e v, In e entries /\ inside v (ranges (states e)) /\ s = instance (states e) v
              /\ q = option_map (fun c => (c, firstn k v)) (alive e).

(* the counters of an entry's machine states *)
Definition counters : list form := map parameter (seq 0 k).
Definition given (q : option (nat * list form)) : list form := match q with Some q => snd q | None => [] end.
Definition same_control (q : option (nat * list form)) (e : entry) : bool :=
  match q, alive e with Some q, Some c => Nat.eqb (fst q) c && Nat.eqb (length (snd q)) k | None, None => true | _, _ => false end.
Definition leads_into (b : box) (q : option (nat * list form)) (s : list (list form)) : bool :=
  existsb (fun e => if same_control q e then fits b (given q) s (states e) else false) entries.      (* && would do both *)

Definition attempt (e : entry) (a : nat) (b : box) : outcome bool :=
  bind (match alive e with
        | Some c => bind (move_form b (c, counters) a moves) (fun r => Done (option_map (moved (c, counters)) r))
        | None => Done None
        end)
    (fun q => if (negb recognise && negb (is_some q))%bool then Done true
              else bind (step_forms m b (forms (states e)) a) (fun r =>
                if leads_into b q (fst r) then bind (answer_form b q) (fun outputs => Done (same_outputs (snd r) outputs))
                else Done false)).
Definition entry_right (fuel : nat) (e : entry) : bool :=
  (match alive e with Some _ => Nat.leb k (length (ranges (states e))) | None => true end)
  && forallb (fun a => everywhere fuel (attempt e a) (ranges (states e))) (seq 0 symbols).
Definition relation_check (fuel : nat) : bool :=
  existsb (fun e => match alive e with Some c => Nat.eqb c (fst initial) && numbers_fit (snd initial) (fst (begin m)) (states e) | None => false end) entries
  && same_outputs (snd (begin m)) (expected (Some initial))
  && forallb (entry_right fuel) entries.

Lemma leads_right b v q s : inside v b -> leads_into b q s = true -> holds (option_map (valued v) q) (map (map (value v)) s).
Proof.
  intros I H. apply existsb_exists in H as [e [E H]]. destruct (same_control q e) eqn:C; [rename H into F|discriminate].
  destruct (fits_right b _ _ _ v I F) as [F1 F2]. exists e, (map (value v) (arguments (states e) (given q) s)).
  split; [exact E|]. split; [exact F1|]. split; [exact F2|]. unfold same_control in C.
  destruct q as [q|], (alive e) as [c|]; try discriminate; cbn [option_map]; [|reflexivity].
  apply andb_prop in C as [C1 C2]. apply Nat.eqb_eq in C1, C2. unfold valued. rewrite C1. do 2 f_equal.
  unfold arguments, given. rewrite map_app, <- C2, firstn_app, map_length, Nat.sub_diag, firstn_O, app_nil_r, <- (map_length (value v)).
  symmetry. apply firstn_all.
Qed.
Lemma counters_right v : (k <= length v)%nat -> map (value v) counters = firstn k v.
Proof.
  unfold counters. rewrite map_map. rewrite (map_ext _ (fun i => nth i v 0)) by (intro; apply value_parameter).
  revert v. induction k as [|j IH]; intros v L; [reflexivity|]. destruct v as [|x v]; [simpl in L; lia|].
  cbn [seq map firstn nth]. f_equal. rewrite <- seq_shift, map_map. cbn [nth]. apply IH. simpl in L. lia.
Qed.

Lemma step_kept fuel q s a : forallb (entry_right fuel) entries = true -> holds q s -> (a < symbols)%nat ->
  (recognise = true \/ after q a <> None) ->
  holds (after q a) (fst (step m s a)) /\ snd (step m s a) = expected (after q a).
Proof.
  intros C (e & v & E & I & -> & ->) A G. rewrite forallb_forall in C. specialize (C e E). apply andb_prop in C as [K C].
  rewrite forallb_forall in C. specialize (C a ltac:(apply in_seq; lia)). destruct (everywhere_right _ _ _ C v I) as [b [J T]].
  unfold attempt in T. apply bind_done in T as [q' [Q T]].
  assert (N : option_map (valued v) q' = after (option_map (fun c => (c, firstn k v)) (alive e)) a).
  { destruct (alive e) as [c|]; [|injection Q as <-; reflexivity]. apply bind_done in Q as [r [R Q]]. injection Q as <-.
    apply (move_right b v J) in R. cbn [option_map after]. unfold counter_next.
    assert (V : valued v (c, counters) = (c, firstn k v)).
    { unfold valued; cbn [fst snd]. f_equal. apply counters_right. apply Nat.leb_le in K. rewrite (inside_length v _ I). exact K. }
    rewrite V in R. rewrite <- R. destruct r as [x|]; [|reflexivity]. cbn [option_map]. f_equal. rewrite moved_right, V. reflexivity. }
  destruct (negb recognise && negb (is_some q'))%bool eqn:Z.
  { exfalso. apply andb_prop in Z as [Z1 Z2]. destruct q'; [discriminate|]. rewrite <- N in G. 
    destruct recognise; [discriminate|]. destruct G as [G|G]; [discriminate|apply G; reflexivity]. }
  apply bind_done in T as [[s' outputs] [S T]]. apply (step_right m b _ a v _ J) in S. cbn [fst snd] in T.
  destruct (leads_into b q' s') eqn:L; [|discriminate]. apply bind_done in T as [wanted [W T]]. injection T as T.
  apply same_outputs_right in T. unfold instance. rewrite S. cbn [fst snd]. rewrite <- N. split.
  - apply (leads_right b v q' s' J L).
  - rewrite T. apply (answer_right b v q' wanted J W).
Qed.

Lemma start_right fuel : relation_check fuel = true ->
  holds (Some initial) (fst (begin m)) /\ snd (begin m) = expected (Some initial) /\ forallb (entry_right fuel) entries = true.
Proof.
  intro H. apply andb_prop in H as [H H3]. apply andb_prop in H as [H1 H2]. split; [|split; [apply same_outputs_right; exact H2|exact H3]].
  apply existsb_exists in H1 as [e [E H1]]. destruct (alive e) as [c|] eqn:L; [|discriminate]. apply andb_prop in H1 as [C F].
  apply Nat.eqb_eq in C. destruct (numbers_fit_right _ _ _ F) as (w & I & S & G). exists e, w. repeat split; auto.
  rewrite L. cbn [option_map]. unfold k. rewrite G, C, <- surjective_pairing. reflexivity.
Qed.
End Checker.

Theorem predictor_computes m symbols initial moves accepting entries fuel :
  relation_check m false symbols initial moves accepting entries fuel = true ->
  computes m (counter_machine symbols initial moves accepting) symbols.
Proof.
  intro C. destruct (start_right _ _ _ _ _ _ _ _ C) as (H0 & O0 & K).
  apply relation_computes with (R := fun q => holds initial entries (Some q)); [exact H0|exact O0|].
  intros q s a q' H A N. cbn [next answer state counter_machine] in *.
  assert (E : after moves (Some q) a = Some q') by exact N.
  destruct (step_kept m false symbols initial moves accepting entries fuel (Some q) s a K H A) as [H' O]; [right; rewrite E; discriminate|].
  rewrite E in H', O. split; [exact H'|exact O].
Qed.

Theorem recogniser_computes m symbols initial moves accepting entries fuel :
  relation_check m true symbols initial moves accepting entries fuel = true ->
  computes m (recogniser (counter_machine symbols initial moves accepting)) symbols.
Proof.
  intro C. destruct (start_right _ _ _ _ _ _ _ _ C) as (H0 & O0 & K).
  assert (X : forall q, expected true symbols moves accepting q = answer (m := recogniser (counter_machine symbols initial moves accepting)) q).
  { intros [q|]; [|reflexivity]. cbn [expected answer recogniser counter_machine]. unfold counter_answer. rewrite last_last. reflexivity. }
  apply relation_computes with (R := holds initial entries); [exact H0|rewrite O0; apply X|].
  intros q s a q' H A N. cbn [next answer state recogniser] in *. injection N as <-.
  destruct (step_kept m true symbols initial moves accepting entries fuel q s a K H A) as [H' O]; [left; reflexivity|].
  split; [exact H'|]. rewrite O. apply X.
Qed.

Print Assumptions predictor_computes.
Print Assumptions recogniser_computes.
